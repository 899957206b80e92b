# What all hosts have: a user who may log in and become root, and git, to pull this repository.
{
  services.openssh.enable = true;
  programs.git.enable = true;
  nix.settings.experimental-features = [
    "nix-command"
    "flakes"
  ];

  users.users.you = {
    isNormalUser = true;
    extraGroups = [ "wheel" ];
    openssh.authorizedKeys.keys = [
      # "ssh-ed25519 AAAA... you@laptop"
    ];
  };

  # Optional: the host's health in the table, without logging in for each refresh.
  services.fleetctl-agent = {
    enable = true;
    operators = [ "you" ];
  };

  system.stateVersion = "26.05";
}
