# Finds the hosts for which an ssh_config(5) accepts unknown keys. It ignores what only ssh can
# evaluate (Match, Include): a false warning is worse than none.
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
  matchesAny =
    patterns: name:
    let
      parts = lib.partition (lib.hasPrefix "!") patterns;
    in
    lib.any (pattern: matches pattern name) parts.wrong
    && !lib.any (pattern: matches (lib.removePrefix "!" pattern) name) parts.right;

  # The value of StrictHostKeyChecking for a host, or null. As always in ssh_config(5), the first
  # value applies.
  policyOf =
    text: name:
    let
      read =
        state: line:
        let
          fields = words line;
          keyword = lib.toLower (lib.head fields);
          values = lib.tail fields;
        in
        if fields == [ ] then
          state
        else if keyword == "host" then
          state // { applies = matchesAny values name; }
        else if keyword == "match" then
          state // { applies = map lib.toLower values == [ "all" ]; }
        else if
          keyword == "stricthostkeychecking"
          && state.applies
          && state.policy == null
          && values != [ ]
        then
          state // { policy = lib.toLower (lib.head values); }
        else
          state;
    in
    (lib.foldl' read {
      applies = true;
      policy = null;
    } (lib.splitString "\n" (builtins.unsafeDiscardStringContext text))).policy;

  isLax =
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
  # laxOf TEXT HOSTS: the HOSTS for which unknown keys are accepted.
  laxOf = text: lib.filter (isLax text);
  # laxForAll TEXT: whether unknown keys are accepted for all hosts. Only patterns like * match the
  # empty name.
  laxForAll = text: isLax text "";
}
