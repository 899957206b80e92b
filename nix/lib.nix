# What a flake can have fleetctl's inventory made of. Needs no nixpkgs: Nix alone. It is in fleetctl itself, too, for its init --flake.
let
  inherit (builtins)
    attrNames
    elemAt
    foldl'
    genList
    listToAttrs
    map
    match
    removeAttrs
    replaceStrings
    substring
    ;

  letters = text: genList (n: substring n 1 text) 26;
  lower = replaceStrings (letters "ABCDEFGHIJKLMNOPQRSTUVWXYZ") (
    letters "abcdefghijklmnopqrstuvwxyz"
  );

  # What deploy-rs has been told of a machine.
  node = flake: name: flake.deploy.nodes.${name} or { };
  addressOf =
    flake: name:
    let
      told = node flake name;
    in
    if told ? hostname then { address = told.hostname; } else { };
  userOf =
    flake: name:
    let
      told = node flake name;
    in
    if told ? sshUser then
      { user = told.sshUser; }
    else if told != { } && flake.deploy ? sshUser then
      { user = flake.deploy.sshUser; }
    else
      { };

  # Hosts as the flake has them, in the order of outputs: { output, attr } and either a host or why there can be none.
  candidates =
    flake:
    let
      each =
        output: candidate:
        map (attr: { inherit output attr; } // candidate attr) (attrNames (flake.${output} or { }));
      machine = kind: name: {
        host = {
          inherit name kind;
        }
        // addressOf flake name
        // userOf flake name;
      };
    in
    each "nixosConfigurations" (machine "nixos")
    ++ each "darwinConfigurations" (machine "darwin")
    ++ each "homeConfigurations" (
      attr:
      let
        parts = match "([^@]+)@([^@]+)" attr;
        name = elemAt parts 1;
      in
      if parts == null then
        { why = "it does not say on which host it is, as USER@HOST would"; }
      else
        {
          host = {
            inherit name attr;
            kind = "home";
            user = elemAt parts 0;
          }
          // addressOf flake name;
        }
    );

  # A home on a machine that is a host itself is a host of its own, at the same address.
  beside =
    host:
    {
      address = host.name;
    }
    // host
    // {
      name = "${host.name}-${host.user}";
    };

  add =
    fleet:
    { output, attr, ... }@candidate:
    let
      passed =
        why:
        fleet
        // {
          leftOut = fleet.leftOut ++ [ { inherit output attr why; } ];
        };
      taken = name: fleet.names.${lower name} or null;
      host =
        if candidate.host.kind == "home" && taken candidate.host.name != null then
          beside candidate.host
        else
          candidate.host;
    in
    if candidate ? why then
      passed candidate.why
    else if taken host.name != null then
      passed ''the name "${taken host.name}" is taken''
    else
      {
        inherit (fleet) leftOut;
        hosts = fleet.hosts ++ [ host ];
        names = fleet.names // {
          ${lower host.name} = host.name;
        };
      };

  # fleetFromFlake: { hosts, leftOut }, lists in the order of outputs.
  fleetFromFlake =
    flake:
    removeAttrs (foldl' add {
      hosts = [ ];
      leftOut = [ ];
      names = { };
    } (candidates flake)) [ "names" ];
in
{
  inherit fleetFromFlake;

  # hostsFromFlake: what [hosts] of the inventory can begin with, from a flake's nixosConfigurations, darwinConfigurations,
  # homeConfigurations and, where the flake has it, deploy.nodes.NAME.hostname and .sshUser. Homes whose attribute does not say
  # on which host they are are left out. Nothing of a configuration is evaluated but its name.
  #
  #   programs.fleetctl.settings.hosts = lib.recursiveUpdate (inputs.nixfleet.lib.hostsFromFlake self) {
  #     hsb0.tags = [ "server" ];
  #   };
  hostsFromFlake =
    flake:
    listToAttrs (
      map (host: {
        inherit (host) name;
        value = removeAttrs host [ "name" ];
      }) (fleetFromFlake flake).hosts
    );
}
