# The options of the modules, as documentation.
#
#   markdown   docs/options.md; takes nixpkgs' lib alone
#   web        what nixpkgs makes of the same options for its own manual; takes its packages as well
#
#   nix-instantiate --eval --strict --json -A markdown nix/options-doc.nix --arg lib 'import /path/to/nixpkgs/lib' | jq -j .
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
  list =
    module:
    lib.filter (o: o.visible && !o.internal) (lib.optionAttrSetToDocList (ours module));

  value = v: lib.removeSuffix "\n" v.text;
  code = text: if lib.hasInfix "\n" text then "\n\n```nix\n${text}\n```" else " `${text}`";
  plain = text: lib.replaceStrings [ "{option}" ] [ "" ] (lib.removeSuffix "\n" text);

  entry =
    o:
    lib.concatStrings [
      "### `${o.name}`\n\n"
      (plain o.description)
      "\n\n- Type: ${o.type}"
      (lib.optionalString (o ? default) "\n- Default:${code (value o.default)}")
      (lib.optionalString (o ? example) "\n- Example:${code (value o.example)}")
      "\n"
    ];

  section = title: module: "## ${title}\n\n" + lib.concatMapStringsSep "\n" entry (list module);
in
{
  markdown = lib.concatStringsSep "\n" [
    ''
      # Options

      What the flake's modules can be told. `nix/options-doc.nix` writes this page; [nix.md](nix.md) says how to use them.
    ''
    (section "NixOS: `nixosModules.default`" ./modules/nixos.nix)
    (section "nix-darwin: `darwinModules.default`" ./modules/darwin.nix)
    (section "home-manager: `homeModules.default`" ./modules/home.nix)
  ];

  web =
    (pkgs.nixosOptionsDoc {
      options = ours ./modules/nixos.nix;
      transformOptions = o: o // { declarations = [ ]; };
    }).optionsCommonMark;
}
