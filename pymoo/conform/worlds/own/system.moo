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
// the verbs for them are; everything else is ignored.
verb do_login_command this none this rxd
if (length(args) == 2 && args[1] == "connect")
  for who in (players())
    if (who.name == args[2])
      if (who.location != $lab && who in {$wizard_player, $programmer_player, $visitor})
        move(who, $lab);
      endif
      return who;
    endif
  endfor
endif
.

// `#$#mark KEY' tells that everything before it has been dealt with.
verb do_out_of_band_command this none this rxd
if (length(args) == 2 && args[1] == "#$#mark")
  notify(player, "@@C " + args[2]);
endif
.

// A convenience of cases: `$make_verb(OBJECT, NAMES, DOBJ, PREP, IOBJ, LINE, ...)'.
verb make_verb this none this rxd
{object, names, dobj, prep, iobj, @lines} = args;
add_verb(object, {player, "rxd", names}, {dobj, prep, iobj});
return set_verb_code(object, length(verbs(object)), lines);
.
