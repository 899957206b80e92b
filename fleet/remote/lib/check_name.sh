# shellcheck shell=sh
# check_name.sh: keeps a deploy from putting the system of one host on another: the address of a
# host in the inventory may be that of another one. The script that uses it defines fail.
#
# uses: host_name
# inputs: other_names own_names

# check_name fails if the machine calls itself by the name of another host of the inventory. Any
# other name is accepted, since a deploy may well be what renames the machine.
check_name() {
  if [ -z "$other_names" ]; then return; fi
  read_host_name
  case " $own_names " in
    *" $host_name "*) return ;;
  esac
  case " $other_names " in
    *" $host_name "*) fail other-host "name=$host_name" ;;
  esac
}
