# Of which hosts ssh takes a key that it does not know, by an ssh_config(5). Its plain part is read here; what it takes ssh itself to
# tell (Match, Include) is passed over, since a warning that is wrong is worse than none.
{ lib }:
let
  words =
    line:
    lib.filter (word: word != "") (
      lib.splitString " " (lib.replaceStrings [ "\t" "=" "\"" ] [ " " " " " " ] line)
    );

  matches =
    pattern: name:
    builtins.match (lib.replaceStrings [ "\\*" "\\?" ] [ ".*" "." ] (lib.escapeRegex pattern)) name
    != null;
  among =
    patterns: name:
    let
      parts = lib.partition (lib.hasPrefix "!") patterns;
    in
    lib.any (pattern: matches pattern name) parts.wrong
    && !lib.any (pattern: matches (lib.removePrefix "!" pattern) name) parts.right;

  # What of StrictHostKeyChecking holds for a host: as everywhere in ssh_config(5), what is said first. null where nothing is.
  policyOf =
    text: name:
    let
      read =
        state: line:
        let
          said = words line;
          keyword = lib.toLower (lib.head said);
          values = lib.tail said;
        in
        if said == [ ] then
          state
        else if keyword == "host" then
          state // { here = among values name; }
        else if keyword == "match" then
          state // { here = map lib.toLower values == [ "all" ]; }
        else if
          keyword == "stricthostkeychecking" && state.here && state.policy == null && values != [ ]
        then
          state // { policy = lib.toLower (lib.head values); }
        else
          state;
    in
    (lib.foldl' read {
      here = true;
      policy = null;
    } (lib.splitString "\n" (builtins.unsafeDiscardStringContext text))).policy;

  lax =
    text: name:
    text != null
    && lib.elem (policyOf text name) [
      "accept-new"
      "no"
      "off"
      "false"
    ];
in
{
  # laxOf: those of the hosts.
  laxOf = text: lib.filter (lax text);
  # laxForAll: whether it is so for a host of any name, which only patterns like * match.
  laxForAll = text: lax text "";
}
