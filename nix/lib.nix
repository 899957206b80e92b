# Functions that derive an inventory from a flake. They need Nix but not nixpkgs. fleetctl embeds
# this file for init --flake.
let
  inherit (builtins)
    attrNames
    elemAt
    foldl'
    genList
    groupBy
    length
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

  # The settings of deploy-rs for a machine.
  node = flake: name: flake.deploy.nodes.${name} or { };
  addressOf =
    flake: name:
    let
      settings = node flake name;
    in
    if settings ? hostname then { address = settings.hostname; } else { };
  userOf =
    flake: name:
    let
      settings = node flake name;
    in
    if settings ? sshUser then
      { user = settings.sshUser; }
    else if settings != { } && flake.deploy ? sshUser then
      { user = flake.deploy.sshUser; }
    else
      { };

  # USER@HOST -> HOST
  machineOf =
    attr:
    let
      parts = match "([^@]+)@([^@]+)" attr;
    in
    if parts == null then "" else elemAt parts 1;

  # The hosts of a flake, in the order of its outputs: { output, attr } and either host or, if the
  # output cannot be a host, why. The home of a machine that has several is shared.
  candidates =
    flake:
    let
      each =
        output: candidate:
        map (attr: { inherit output attr; } // candidate attr) (attrNames (flake.${output} or { }));
      # Homes of one machine, whose names may differ in case.
      homes = groupBy (attr: lower (machineOf attr)) (attrNames (flake.homeConfigurations or { }));
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
        { why = "its name is not of the form USER@HOST"; }
      else
        {
          shared = length homes.${lower name} > 1;
          host = {
            inherit name attr;
            kind = "home";
            user = elemAt parts 0;
          }
          // addressOf flake name;
        }
    );

  # A home on a machine that is also a host, or that has several homes, is named after its user,
  # too, and gets the address of the machine.
  homeBesideMachine =
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
      leaveOut =
        why:
        fleet
        // {
          leftOut = fleet.leftOut ++ [ { inherit output attr why; } ];
        };
      taken = name: fleet.names.${lower name} or null;
      host =
        if candidate.host.kind == "home" && (candidate.shared || taken candidate.host.name != null) then
          homeBesideMachine candidate.host
        else
          candidate.host;
    in
    if candidate ? why then
      leaveOut candidate.why
    else if taken host.name != null then
      leaveOut ''the name "${taken host.name}" is taken''
    else
      {
        inherit (fleet) leftOut;
        hosts = fleet.hosts ++ [ host ];
        names = fleet.names // {
          ${lower host.name} = host.name;
        };
      };

  # fleetFromFlake FLAKE: returns { hosts, leftOut }, both in the order of the flake's outputs.
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

  # hostsFromFlake FLAKE: returns initial [hosts] of an inventory, from the flake's
  # nixosConfigurations, darwinConfigurations and homeConfigurations, and from
  # deploy.nodes.NAME.hostname and .sshUser if they exist. Homes of a machine that
  # has several hosts are named HOST-USER. It leaves out homes whose name is not USER@HOST. It
  # evaluates the names of the configurations only.
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
