# The options of the modules, as documentation.
#
#   markdown   docs/options.md
#   man        docs/man/fleetctl-options.5; both take nixpkgs' lib alone, and nix/options writes them
#   web        a page for each module, by what makes the manual of NixOS (nixosOptionsDoc); takes nixpkgs' packages as well
{
  lib,
  pkgs ? null,
}:
let
  stub = import ./tests/stubs.nix { inherit lib; };
  # Where an option is declared in the store says nothing to a reader.
  ours = module: {
    inherit ((stub.eval module { }).options) services;
    programs = { inherit ((stub.eval module { }).options.programs) fleetctl; };
  };
  list = module: lib.filter (o: o.visible && !o.internal) (lib.optionAttrSetToDocList (ours module));

  pages = [
    {
      title = "NixOS";
      name = "nixosModules";
      module = ./modules/nixos.nix;
    }
    {
      title = "nix-darwin";
      name = "darwinModules";
      module = ./modules/darwin.nix;
    }
    {
      title = "home-manager";
      name = "homeModules";
      module = ./modules/home.nix;
    }
  ];

  # What is said of an option, in order: { what, text }.
  lines =
    o:
    [
      {
        what = "Type";
        text = o.type;
      }
    ]
    ++
      lib.concatMap
        (
          what:
          lib.optional (o ? ${what}) {
            what = lib.toSentenceCase what;
            text = lib.removeSuffix "\n" o.${what}.text;
            code = true;
          }
        )
        [
          "default"
          "example"
        ];
  about = o: lib.replaceStrings [ "{option}" ] [ "" ] (lib.removeSuffix "\n" o.description);

  markdown =
    let
      code = text: if lib.hasInfix "\n" text then "\n\n```nix\n${text}\n```" else " `${text}`";
      line = l: "\n- ${l.what}:${if l ? code then code l.text else " ${l.text}"}";
      entry = o: "### `${o.name}`\n\n${about o}\n${lib.concatMapStrings line (lines o)}\n";
    in
    page:
    "## ${page.title}: `${page.name}.default`\n\n"
    + lib.concatMapStringsSep "\n" entry (list page.module);

  # man(7). Text is escaped whole: nothing of it is a request, and a hyphen is the one that can be typed.
  escape =
    text:
    let
      shown = lib.replaceStrings [ "\\" "-" "\n." "\n'" ] [ "\\e" "\\-" "\n\\&." "\n\\&'" ] text;
    in
    lib.optionalString (lib.hasPrefix "." text || lib.hasPrefix "'" text) "\\&" + shown;
  bold = text: "\\fB${text}\\fR";
  # What stands between backticks is code.
  prose =
    text:
    lib.concatImapStrings (n: piece: if lib.mod n 2 == 0 then bold piece else piece) (
      lib.splitString "`" (escape text)
    );
  man =
    let
      line =
        l:
        if lib.hasInfix "\n" l.text then
          ".br\n${l.what}:\n.RS\n.EX\n${escape l.text}\n.EE\n.RE\n"
        else
          ".br\n${l.what}: ${if l ? code then bold (escape l.text) else escape l.text}\n";
      entry =
        o: ".TP\n${bold (escape o.name)}\n${prose (about o)}\n${lib.concatMapStrings line (lines o)}";
    in
    page:
    ".SH ${lib.toUpper page.title}\nOptions of ${page.name}.default.\n"
    + lib.concatMapStrings entry (list page.module);
in
{
  markdown = ''
    # Options

    What the flake's modules can be told. `nix/options` writes this page; [nix.md](nix.md) says how to use them.

  ''
  + lib.concatMapStringsSep "\n" markdown pages;

  man =
    let
      version = import ./version.nix;
    in
    ''
      .TH FLEETCTL-OPTIONS 5 ${version.releasedOn} "fleetctl ${version.release}" "File Formats"
      .SH NAME
      fleetctl-options \- what the modules for NixOS, nix-darwin and home-manager can be told
      .SH DESCRIPTION
      The flake github:markus\-barta/nixfleet has a module for each of the three. programs.fleetctl is the operator's
      command and inventory, services.fleetctl\-agent the agent on a host, which tells how the host fares.
    ''
    + lib.concatMapStrings man pages
    + ''
      .SH SEE ALSO
      .BR fleetctl (1)
    '';

  web = pkgs.linkFarm "fleetctl-options" (
    map (page: {
      name = "${page.name}.md";
      path =
        (pkgs.nixosOptionsDoc {
          options = ours page.module;
          transformOptions = o: o // { declarations = [ ]; };
        }).optionsCommonMark;
    }) pages
  );
}
