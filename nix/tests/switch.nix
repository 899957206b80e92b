# NixOS's own activation and switch-to-configuration, with units that change, units that fail,
# checks that stop a switch before it starts, a running variant, logins that end, and a
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
        # A component that must not change in a switch. See pre-switch-check.nix and
        # switchable-system.nix in nixpkgs, nixos/modules/system/activation.
        system.switch.inhibitors.component = lib.mkDefault "old";
        # logind kills what a login leaves behind.
        services.logind.settings.Login.KillUserProcesses = true;
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
          refused.configuration = {
            environment.etc."generation".text = "refused";
            system.preSwitchChecks.refuse = "echo not today; exit 1";
          };
          inhibited.configuration = {
            environment.etc."generation".text = "inhibited";
            system.switch.inhibitors.component = "new";
          };
          # switch-to-configuration compares this file with that of the running system, and exits
          # with 100 before it activates anything.
          init.configuration = {
            environment.etc."generation".text = "init";
            system.systemBuilderCommands = lib.mkAfter ''
              printf 'other 1' >"$out/init-interface-version"
            '';
          };
          own.configuration.environment.etc."generation".text = "own";
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
      def choose(*names):
          commit(one, f"echo {' '.join(names)} >next && date +%N >change")

      def running():
          return one.succeed("readlink -f /run/current-system; readlink -f /nix/var/nix/profiles/system")

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

      with subtest("a unit that had failed before the switch is not blamed on it"):
          one.fail("systemd-run --wait --unit=earlier false")
          one.succeed("systemctl is-failed earlier.service")
          choose("good")
          assert deploy(0)["one"]["outcome"] == "switched"
          one.succeed("systemctl reset-failed")

      for name in ["refused", "inhibited"]:
          with subtest(f"nothing is activated: {name}"):
              before = running()
              choose(name)
              result = deploy(1)["one"]
              assert result["outcome"] == "failed" and result["code"] == "inhibited", result
              assert running() == before and generation() == "good"

      with subtest("an inhibited switch is left to the next boot if the operator says so"):
          choose("inhibited")
          result = deploy(0, "--on-inhibited boot")["one"]
          assert result["outcome"] == "reboot-needed", result
          assert generation() == "good"

      with subtest("exit status 100 with nothing activated is left to the next boot"):
          choose("init")
          assert deploy(0)["one"]["outcome"] == "reboot-needed"
          assert generation() == "good"

      with subtest("a variant that runs is kept"):
          choose("good", "own")
          assert deploy(0)["one"]["outcome"] == "switched"
          variant = "/nix/var/nix/profiles/system/specialisation/own" # english:ignore NixOS's
          one.succeed(f"{variant}/bin/switch-to-configuration test")
          assert generation() == "own"
          choose("good", "own")
          deploy(0)
          assert generation() == "own"
          choose("good")
          assert deploy(0)["one"]["outcome"] == "switched"
          assert generation() == "good"

      with subtest("a job outlives the login that started it"):
          choose("own")
          operator.succeed("fleetctl deploy --all --no-pull --yes --detach")
          one.wait_until_succeeds("grep -x own /etc/generation", timeout=120)
          choose("good")
          assert deploy(0)["one"]["outcome"] == "switched"

      with subtest("a configuration without sshd is rolled back by the host"):
          choose("cut")
          assert deploy(1, "--confirm-timeout 20s")["one"]["outcome"] == "rolled-back"
          assert generation() == "good"
          operator.succeed("ssh one true")
    '';
}
