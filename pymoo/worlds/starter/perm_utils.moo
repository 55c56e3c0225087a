object $perm_utils
  name "Permissions Utilities"
  owner $hacker
  parent $root
  flags r

set aliases = {"perm_utils"}
set description = "Verbs that tell who may do what."
set help_msg = {
  "  :controls(player, object)          whether the player owns it, or is a wizard",
  "  :controls_property(player, object, name)",
  "  :controls_verb(player, object, name)",
  "A verb that acts with more rights than its caller has should ask",
  "  $perm_utils:controls(caller_perms(), object)",
  "and one that needs no rights of its own begins with",
  "  set_task_perms(caller_perms());"
}

verb "controls" this none this rxd
"controls(player, object): whether the player owns the object, or is a wizard.";
{who, what} = args;
return valid(who) && valid(what) && (who.wizard || who == what.owner);
.

verb "controls_property controls_prop" this none this rxd $wizard
"controls_property(player, object, name): whether the player owns that property there.";
{who, what, name} = args;
return valid(who) && (who.wizard || who == property_info(what, name)[1]);
.

verb "controls_verb" this none this rxd $wizard
"controls_verb(player, object, name): whether the player owns that verb.";
{who, what, name} = args;
return valid(who) && (who.wizard || who == verb_info(what, name)[1]);
.
