# fleetctl: the operator's command and the hosts' agent, in one binary.
{
  lib,
  stdenv,
  buildGoModule,
  callPackage,
  installShellFiles,
  versionCheckHook,
}:

buildGoModule (finalAttrs: {
  pname = "fleetctl";
  version = (import ./version.nix).release;

  # Only files that are compiled or installed, so that a change to other files does not cause a
  # rebuild.
  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../docs/man
      ../go.mod
      ../go.sum
      (lib.fileset.fileFilter (file: file.hasExt "go") ../.)
      ../agent/openapi.json # embedded
      ../fleet # embeds the scripts that run on hosts
      ../internal # embeds the stand-ins of the demo
      ./lib.nix # embedded
      ./fleetctl-agent.service
      ./fleetctl-agent.socket
      ./fleetctl-agent.sysusers
    ];
  };

  # Updated by nix/vendor-hash --write.
  vendorHash = "sha256-qaWu3an7xwFtntlPshcTJVrSVT0h2+m9W1byp6c2qEQ=";

  subPackages = [ "cmd/fleetctl" ];
  # The agent's sandbox allows no libraries.
  env.CGO_ENABLED = 0;
  ldflags = [
    "-s"
    "-w"
  ];

  # The tests need sshd, git, systemd and three shells. .ci/run installs them and runs the tests.
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

  # The version comes from this tree, so there is nothing for an updateScript to do.
  # packaging/nixpkgs/package.nix has one.
  passthru.tests = callPackage ./tests { fleetctl = finalAttrs.finalPackage; };

  meta = {
    description = "Manage NixOS and macOS hosts over SSH";
    longDescription = ''
      fleetctl reads hosts.toml, connects to all NixOS and macOS hosts at once over SSH, has each pull its own configuration and
      switch to it, and shows the progress live. Nothing needs to be installed on a host; an optional read-only agent reports
      the host's health.
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
