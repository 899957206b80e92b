# For nixpkgs, as pkgs/by-name/ni/nixfleet/package.nix. nix-update replaces the literals. Its
# maintainer must be in maintainers/maintainer-list.nix of nixpkgs.
{
  lib,
  stdenv,
  buildGoModule,
  fetchFromGitHub,
  installShellFiles,
  nix-update-script,
  testers,
  versionCheckHook,
}:

buildGoModule (finalAttrs: {
  pname = "fleetctl";
  version = "0.1.0";

  src = fetchFromGitHub {
    owner = "markus-barta";
    repo = "nixfleet";
    tag = "v${finalAttrs.version}";
    hash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  };

  vendorHash = "sha256-qaWu3an7xwFtntlPshcTJVrSVT0h2+m9W1byp6c2qEQ=";

  subPackages = [ "cmd/fleetctl" ];
  # The agent's sandbox allows no libraries.
  env.CGO_ENABLED = 0;
  ldflags = [
    "-s"
    "-w"
  ];

  # The tests need sshd, git, systemd and three shells. The project's CI runs them.
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
    tests.version = testers.testVersion { package = finalAttrs.finalPackage; };
    # The versions that are left out belong to the dashboard that was in the same repository before.
    updateScript = nix-update-script {
      extraArgs = [
        "--version-regex"
        "^v(?!(?:0\\.2\\.1|0\\.4\\.0|1\\.0\\.0|1\\.1\\.0|2\\.2\\.0|3\\.0\\.1|3\\.1\\.0)$)([0-9]+\\.[0-9]+\\.[0-9]+)$"
      ];
    };
  };

  meta = {
    description = "Manage NixOS and macOS hosts over SSH";
    longDescription = ''
      fleetctl reads hosts.toml, connects to all NixOS and macOS hosts at once over SSH, has each pull its own configuration and
      switch to it, and shows the progress live. Nothing needs to be installed on a host; an optional read-only agent reports
      the host's health.
    '';
    homepage = "https://github.com/markus-barta/nixfleet";
    changelog = "https://github.com/markus-barta/nixfleet/blob/v${finalAttrs.version}/CHANGELOG.md";
    license = lib.licenses.agpl3Only;
    maintainers = with lib.maintainers; [ markus-barta ];
    mainProgram = "fleetctl";
    platforms = lib.platforms.linux ++ lib.platforms.darwin;
  };
})
