{
  home = {
    username = "you";
    homeDirectory = "/home/you";
    stateVersion = "26.05";
  };
  programs.home-manager.enable = true;
}
