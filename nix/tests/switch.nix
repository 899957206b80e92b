# NixOS's own activation and switch-to-configuration, with units that change, units that fail, and a
# configuration without sshd.
{ fleetctl }:
let
  key = "/etc/operator/key";
in
{
  name = "fleetctl-switch";

  nodes = {
    one =
      { lib, pkgs, ... }:
      {
        imports = [ (import ./host.nix { inherit fleetctl; }) ];
        environment.etc."nixcfg.nix".text =
          lib.replaceStrings [ "@system@" ] [ pkgs.stdenv.hostPlatform.system ]
            (lib.readFile ./real-system-flake.nix);
        # english:ignore the name of an option
        specialisation = {
          good.configuration = {
            environment.etc."generation".text = "good";
            systemd.services.hello = {
              wantedBy = [ "multi-user.target" ];
              script = "exec sleep infinity";
            };
          };
          broken.configuration = {
            environment.etc."generation".text = "broken";
            systemd.services.hello = {
              wantedBy = [ "multi-user.target" ];
              serviceConfig.Type = "oneshot";
              script = "exit 1";
            };
          };
          cut.configuration = {
            environment.etc."generation".text = "cut";
            services.openssh.enable = lib.mkForce false;
          };
        };
      };
    operator = import ./operator.nix {
      inherit fleetctl key;
      hosts = [ "one" ];
    };
  };

  testScript =
    import ./prelude.nix { inherit key; }
    + ''
      def choose(name):
          commit(one, f"echo {name} >next")

      def generation():
          return one.succeed("cat /etc/generation").strip()

      prepare("one", one)

      with subtest("the host switches, and its units start"):
          choose("good")
          assert deploy(0)["one"]["outcome"] == "switched"
          assert generation() == "good"
          one.succeed("systemctl is-active hello.service")
          one.succeed("test $(readlink -f /run/current-system) = $(readlink -f /nix/var/nix/profiles/system)")

      with subtest("a unit that fails makes the host degraded"):
          choose("broken")
          result = deploy(1)["one"]
          assert result["outcome"] == "degraded" and result["code"] == "units", result
          assert "hello.service" in result["reason"], result
          assert generation() == "broken"

      with subtest("the host is rolled back"):
          operator.succeed("fleetctl rollback one --yes")
          assert generation() == "good"

      with subtest("a configuration without sshd is rolled back by the host"):
          choose("cut")
          assert deploy(1, "--confirm-timeout 20s")["one"]["outcome"] == "rolled-back"
          assert generation() == "good"
          operator.succeed("ssh one true")
    '';
}
