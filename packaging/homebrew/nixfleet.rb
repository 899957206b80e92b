class Nixfleet < Formula
  desc "Manage NixOS and macOS hosts over SSH"
  homepage "https://github.com/markus-barta/nixfleet"
  url "https://github.com/markus-barta/nixfleet/releases/download/v0.1.0/fleetctl_0.1.0_source.tar.gz"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  license "AGPL-3.0-only"
  head "https://github.com/markus-barta/nixfleet.git", branch: "main"

  depends_on "go" => :build

  def install
    ENV["CGO_ENABLED"] = "0"
    system "go", "build", *std_go_args(ldflags: "-s -w", output: bin/"fleetctl"), "./cmd/fleetctl"
    man1.install "docs/man/fleetctl.1"
    man8.install "docs/man/fleetctl-agent.8"
    generate_completions_from_executable(bin/"fleetctl", "completion", shells: [:bash, :fish, :zsh])
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/fleetctl version")
    (testpath/"hosts.toml").write <<~TOML
      [defaults]
      repo = "~/nixcfg"
      [hosts.web]
      kind = "nixos"
    TOML
    assert_match "1 host, ok", shell_output("#{bin}/fleetctl check hosts.toml")
  end
end
