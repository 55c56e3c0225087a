object $system
  name "System Object"
  parent $root
  owner $wizard
  flags r

property server_options r = $options
property lab r = $lab
property thing r = $thing
property box r = $box
property lamp r = $lamp
property wizard_player r = $wizard
property programmer_player r = $programmer
property visitor r = $visitor

// `connect wizard' logs in, and sees to it that the players of the cases stand where
// the verbs for them are; `create NAME' makes somebody new; everything else is ignored.
// A case that adds the property login_log learns there what came.
verb do_login_command this none this rxd
if ("login_log" in properties(this))
  this.login_log = {@this.login_log, {args, argstr, verb, caller, player < #0}};
endif
if (length(args) == 2 && args[1] == "connect")
  for who in (players())
    if (who.name == args[2])
      if (who.location != $lab && who in {$wizard_player, $programmer_player, $visitor})
        move(who, $lab);
      endif
      return who;
    endif
  endfor
elseif (length(args) == 2 && args[1] == "create")
  who = create($root);
  who.name = args[2];
  who.owner = who;
  set_player_flag(who, 1);
  return who;
endif
.

// `#$#mark KEY' tells that everything before it has been dealt with.  A case that adds
// the property oob_log learns there what else came.
verb do_out_of_band_command this none this rxd
if (length(args) == 2 && args[1] == "#$#mark")
  notify(player, "@@C " + args[2]);
elseif ("oob_log" in properties(this))
  this.oob_log = {@this.oob_log, {args, argstr, verb, caller, player}};
endif
.

// A convenience of cases: `$make_verb(OBJECT, NAMES, DOBJ, PREP, IOBJ, LINE, ...)'.
verb make_verb this none this rxd
{object, names, dobj, prep, iobj, @lines} = args;
add_verb(object, {player, "rxd", names}, {dobj, prep, iobj});
return set_verb_code(object, length(verbs(object)), lines);
.
