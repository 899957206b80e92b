# fleetctl: the operator's command, and the agent that hosts may have. Both are one binary.
{
  lib,
  stdenv,
  buildGoModule,
  callPackage,
  installShellFiles,
  nix-update-script,
  versionCheckHook,
}:

buildGoModule (finalAttrs: {
  pname = "fleetctl";
  version = (import ./version.nix).release;

  # What is compiled or installed, so that a word in the documentation builds nothing again.
  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../docs/man
      ../go.mod
      ../go.sum
      (lib.fileset.fileFilter (file: file.hasExt "go") ../.)
      ../fleet # embeds what runs on hosts
      ../internal # and the demo's hosts
      ./lib.nix # which the program evaluates
      ./fleetctl-agent.service
      ./fleetctl-agent.socket
      ./fleetctl-agent.sysusers
    ];
  };

  # Proven by nix/vendor-hash --check, which takes no nixpkgs.
  vendorHash = "sha256-KqBBKOZlOgUIZAP0nf29WvmdvTi3pz0V8SttYdDNdNE=";

  subPackages = [ "cmd/fleetctl" ];
  # The agent's sandbox lets it map its own binary and no library.
  env.CGO_ENABLED = 0;
  ldflags = [
    "-s"
    "-w"
  ];

  # The tests want sshd, git, systemd and three shells: .ci/run brings them, and runs all of them.
  doCheck = false;

  nativeBuildInputs = [ installShellFiles ];

  postInstall = ''
    installManPage docs/man/*
  ''
  + lib.optionalString (stdenv.buildPlatform.canExecute stdenv.hostPlatform) ''
    installShellCompletion --cmd fleetctl \
      --bash <($out/bin/fleetctl completion bash) \
      --fish <($out/bin/fleetctl completion fish) \
      --zsh <($out/bin/fleetctl completion zsh)
  ''
  + lib.optionalString stdenv.hostPlatform.isLinux ''
    install -Dm444 -t $out/lib/systemd/system nix/fleetctl-agent.service nix/fleetctl-agent.socket
    substituteInPlace $out/lib/systemd/system/fleetctl-agent.service \
      --replace-fail /usr/local/bin/fleetctl $out/bin/fleetctl
    install -Dm444 nix/fleetctl-agent.sysusers $out/lib/sysusers.d/fleetctl-agent.conf
  '';

  nativeInstallCheckInputs = [ versionCheckHook ];
  doInstallCheck = true;

  passthru = {
    tests = callPackage ./tests { fleetctl = finalAttrs.finalPackage; };
    updateScript = nix-update-script { };
  };

  meta = {
    description = "Manage NixOS and macOS hosts over SSH";
    longDescription = ''
      fleetctl reads hosts.toml, connects to every NixOS and macOS host at once over SSH, has each pull its own configuration and
      switch to it, and shows all of it live. Nothing needs to be installed on a host; an agent that only reports how the host
      fares may be.
    '';
    homepage = "https://github.com/markus-barta/nixfleet";
    changelog = "https://github.com/markus-barta/nixfleet/blob/main/CHANGELOG.md";
    license = lib.licenses.agpl3Only;
    maintainers = [
      {
        name = "Markus Barta";
        github = "markus-barta";
      }
    ];
    mainProgram = "fleetctl";
    platforms = lib.platforms.linux ++ lib.platforms.darwin;
  };
})
