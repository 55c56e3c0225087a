// The help database: every topic is a property, a list of lines.  {"*forward*",
// "topic"} sends the reader on to another one.
object $help
  name "Help Database"
  owner $hacker
  parent $root
  flags r

set aliases = {"help"}
set description = "All that `help' can tell."
set help_msg = {
  "Every topic is a property of this object: a list of lines, or {\"*forward*\", topic}.",
  "  :text(topic, player)     the lines to show",
  "  :find_topic(text)        the name of a topic, or $failed_match, or a list of several",
  "  :command_lines(player)   the commands that a player can use, as lines"
}

// --- where to begin

property summary r = {
  "Help is available on these subjects; type `help <subject>'.",
  "",
  "  newcomers       the first steps",
  "  talking         say, emote, whisper, page",
  "  moving          look, go, home",
  "  things          get, drop, give, put, open, read",
  "  players         who, names, passwords, descriptions",
  "  building        make rooms, exits and things of your own",
  "  programming     write verbs: a tutorial",
  "  eval            run MOO code and see its value",
  "  tasks           code that waits, or goes on later",
  "  wizards         for those who run this world",
  "",
  "`help <command>' tells about one command, `commands' lists those you have, and",
  "`help index' lists all topics. `help $room' and the like tell how to program with",
  "an object, `help length()' how a built-in function is called."
}
property newcomers r = {
  "Everything here is done with commands: a verb, and often the name of an object.",
  "",
  "  look               see the place where you are",
  "  look mouse         look at something, or somebody",
  "  north              go there; any exit that you see is a command",
  "  say hello          talk to those who are here; \"hello is the same",
  "  take leaflet       pick it up, then `read leaflet'",
  "  inventory          what you carry; `i' will do",
  "  examine mouse      all that can be seen of it, and its commands",
  "  home               go home, if you are lost",
  "",
  "The beginning of a name is enough: `look mo'. Capital letters do not matter. If",
  "several things have one name, say which: `look 2.ball' or `look second ball'.",
  "",
  "The house north of where you began is worth a tour. Guests forget everything when",
  "they leave: `@quit' and `create <name> <password>' make a player of your own."
}
property builders r = {
  "Builders make rooms, exits and things: see `help building'. Every player is a",
  "builder, but guests are not: `@quit', and `create <name> <password>'."
}
property programmers r = {
  "Programmers evaluate code and write verbs: see `help programming'. A wizard makes a",
  "player one; `who' tells whether there is a wizard."
}
property introduction r = {"*forward*", "newcomers"}
property talking r = {
  "  say <text>     \"<text>         to all who are here",
  "  emote <text>   :<text>         show what you do: `:waves' shows `Anna waves'",
  "  whisper \"<text>\" to <player>   to one who is here",
  "  page <player> <text>           to one who is elsewhere",
  "  who                            who is connected"
}
property communication r = {"*forward*", "talking"}
property moving r = {
  "  look                  see where you are, who is here, and the exits",
  "  north                 any exit is a command; `go north' is the same",
  "  home                  go home",
  "  @sethome              make the place where you are your home",
  "  @exits                the exits of a room, with their numbers",
  "  @go <room>            builders: go there at once"
}
property movement r = {"*forward*", "moving"}
property things r = {
  "  inventory                     what you carry",
  "  look <thing>    examine <thing>",
  "  get <thing>     drop <thing>     give <thing> to <player>",
  "  put <thing> in <container>       get <thing> from <container>",
  "  open <container>   close <container>   look in <container>",
  "  read <note>     write \"<line>\" on <note>    erase <note>",
  "",
  "Things may have commands of their own: `examine' tells them."
}
property manipulation r = {"*forward*", "things"}
property players r = {
  "  who                                  who is connected",
  "  look <player>                        see somebody",
  "  look me                              see yourself as others do",
  "  @describe me as <text>               change that",
  "  @rename me to <name>[,<alias>,...]   change your name",
  "  @password <old> <new>                change your password",
  "  @sethome                             make this place your home",
  "  @owned                               what you own",
  "  @quit                                leave; your own things stay with you"
}
property prepositions r = {
  "Commands are a verb, an object, a preposition and another object. These are known:",
  "",
  "  with/using   at/to   in front of   in/inside/into   on top of/on/onto/upon",
  "  out of/from inside/from   over   through   under/underneath/beneath   behind",
  "  beside   for/about   is   as   off/off of",
  "",
  "Words with one of these in it, and those that begin or end with blanks, stand",
  "between quotes: `whisper \"come with me\" to Anna'."
}

// --- building

property building r = {
  "You can make places and things. What you make is yours, and has a number; all",
  "commands take numbers (#62) as well as names, and `me' and `here'.",
  "",
  "A place of your own, from the garden, where everybody may add exits:",
  "  @dig path,p|back,b to My Cabin",
  "  path",
  "  @describe here as A cabin of rough planks.",
  "  @sethome",
  "",
  "A thing of your own:",
  "  @create $thing named red ball,ball",
  "  @describe ball as It is round and red.",
  "  @set ball.drop_succeeded_msg to The ball bounces.",
  "  @set ball.odrop_succeeded_msg to %N drops a ball, which bounces.",
  "",
  "What things are made from: $thing, $container, $note, $room, $exit, $toy, or any",
  "other object that allows it. `help $thing' tells more of each.",
  "",
  "See also: @create @dig @describe @rename @set @move @go @recycle @chparent @parents",
  "@kids @owned @quota @messages @eject"
}
property "@create" r = {
  "Syntax: @create <parent> named <name>[,<alias>,...]",
  "",
  "Make an object from another one, its parent, from which it has all properties and",
  "verbs. You get it in hand.",
  "  @create $thing named red ball,ball",
  "  @create $container called box"
}
property "@dig" r = {
  "Syntax: @dig <room>",
  "        @dig <exit>[,<alias>,...][|<exit back>[,<alias>,...]] to <room>",
  "",
  "Make a room, and exits from where you are to the room and back. The room can also be",
  "one that is there, by its number; then only exits are made.",
  "  @dig north,n|south,s to The Attic",
  "  @dig trapdoor to #62",
  "You may add exits to rooms that are yours, and where builders are welcome."
}
property "@describe" r = {
  "Syntax: @describe <object> as <text>",
  "",
  "Set what others see when they look at the object: `@describe me as ...',",
  "`@describe here as ...', `@describe ball as ...'. For more than one line use",
  "  @set <object>.description to {\"first line\", \"second line\"}"
}
property "@rename" r = {
  "Syntax: @rename <object> to <name>[,<alias>,...]",
  "        @rename <object>:<verb> to \"<names>\"",
  "",
  "Give an object another name, and other names it goes by. Players have names of one",
  "word, which nobody else has. The second form gives a verb other names; a star in one",
  "of them says how far it can be shortened: \"b*ounce\"."
}
property "@recycle" r = {
  "Syntax: @recycle <object>",
  "",
  "Destroy an object of yours, after asking you. What is in a container falls out; people",
  "in a room go home, and their things to them. There is no way back."
}
property "@chparent" r = {
  "Syntax: @chparent <object> to <parent>",
  "",
  "Give an object of yours another parent. Values of properties that the new parent does",
  "not have are lost."
}
property "@move" r = {
  "Syntax: @move <object> to <place>",
  "",
  "Move an object of yours to a place, which may refuse it: `@move ball to here',",
  "`@move ball to me', `@move ball to #62'."
}
property "@go" r = {
  "Syntax: @go <room>",
  "",
  "Go there at once, by name or number: `@go #62', `@go $player_start'."
}
property "@set" r = {
  "Syntax: @set <object>.<property> to <value>",
  "",
  "Set a property of an object of yours. The value is a number, \"text\", #object, $name,",
  "E_ERROR or {a list of those}; anything else is taken for text as it stands.",
  "  @set ball.bounces to 3",
  "  @set exit.oleave_msg to %N climbs up the ladder.",
  "Programmers can as well evaluate `;ball.bounces = 3' with the object's number."
}
property "@quota" r = {
  "Syntax: @quota",
  "",
  "How many objects more you may make. @recycle gives one back; a wizard can give more."
}
property "@parents" r = {
  "Syntax: @parents <object>",
  "        @kids <object>",
  "",
  "List what an object is made from, or what is made from it."
}
property "@kids" r = {"*forward*", "@parents"}
property "@owned" r = {
  "Syntax: @owned",
  "        @owned <player>",
  "",
  "List all objects that you own, or another player."
}
property "@audit" r = {"*forward*", "@owned"}
property "@messages" r = {
  "Syntax: @messages <object>",
  "",
  "List what an object says when it is taken, dropped or gone through. @set changes it:",
  "  @set ball.odrop_succeeded_msg to %N drops a ball, which bounces.",
  "%n and %N are the name of the player, %t and %T that of the object, %d and %i those of",
  "the objects of the command, %l the place, and %% is a percent sign."
}
property "@eject" r = {
  "Syntax: @eject <player>",
  "",
  "Send somebody home from a room of yours. To keep things and people out, see",
  "`help $room' and `@set here.free_entry to 0'."
}
property "@exits" r = {
  "Syntax: @exits",
  "",
  "List the exits of the room where you are, with numbers, aliases and where they lead."
}

// --- programming

property programming r = {
  "A tutorial. You must be a programmer: ask a wizard, who types `@programmer <you>'.",
  "",
  "1. Evaluate. A line that begins with ; is MOO code, and its value is shown:",
  "     ;2 + 2",
  "     ;player.name",
  "   See `help eval'.",
  "",
  "2. Make an object, and give it a property:",
  "     @create $thing named drum",
  "     @property drum.beats 0",
  "",
  "3. Give it a verb. The words say which commands it fits: here `beat drum', with the",
  "   object itself, no preposition and nothing else.",
  "     @verb drum:\"beat hit\" this none none",
  "",
  "4. Write its program, and end with a dot:",
  "     @program drum:beat",
  "     \"beat <drum>    Make a noise.\";",
  "     this.beats = this.beats + 1;",
  "     player:tell(\"Boom! That is beat number \", this.beats, \".\");",
  "     player.location:announce(player:titlec(), \" beats the drum.\");",
  "     .",
  "",
  "5. Try it: `beat drum'. If there is an error you see a traceback, with the line in",
  "   which it was. `@list drum:beat' shows the program with the numbers of its lines.",
  "",
  "Go on with: help variables, help statements, help verbs, help properties,",
  "help permissions, help utilities, help tasks, help errors.",
  "And read: `@list $toy:wind', `@list $container:put', `@list $room:say'."
}
property tutorial r = {"*forward*", "programming"}
property variables r = {
  "In every verb these variables have a value:",
  "",
  "  player    who typed the command          this     the object the verb is on",
  "  caller    the object that called it      verb     the name it was called by",
  "  args      the words or arguments         argstr   the command, without its verb",
  "  dobj, dobjstr   the direct object        iobj, iobjstr   the indirect object",
  "  prepstr   the preposition",
  "",
  "All others are yours: they live until the verb ends. What should last belongs in a",
  "property. Values are integers 12, floats 1.5, strings \"text\", objects #12, errors",
  "E_PERM and lists {1, \"two\", #3}. Lists and strings begin at 1: x[1], x[2..$]."
}
property statements r = {
  "  if (x > 1) ... elseif (x) ... else ... endif",
  "  for name in ({\"a\", \"b\"}) ... endfor      for i in [1..10] ... endfor",
  "  while (x) ... endwhile                    break; continue;",
  "  return value;",
  "  try ... except e (E_PERM, E_TYPE) ... endtry      e is {code, message, value, stack}",
  "  try ... finally ... endtry",
  "  fork (seconds) ... endfork",
  "",
  "Expressions: + - * / % ^   == != < <= > >= in   && || !   a ? b | c",
  "  {first, @rest} = args;        {who, ?times = 1} = args;",
  "  `what.colour ! E_PROPNF => \"grey\"'         the value, or another if there is an error",
  "  object.(name)   object:(name)(@args)       names that are computed",
  "",
  "&& and || have the same precedence: put parentheses where both are used."
}
property verbs r = {
  "A verb is a program on an object. Its three words say which commands it fits:",
  "",
  "  this none none       beat drum",
  "  this on any          beat drum on table",
  "  any in this          put ball in box",
  "  any any any          any command that begins with its name",
  "  this none this       none: for calls from other programs, object:name(arguments)",
  "",
  "Its permissions are letters: r others may read it, w others may change it (never do",
  "that), x programs may call it, d errors are errors. Usual are rd for commands and",
  "rxd for calls. A verb runs with the rights of its owner.",
  "",
  "A child has the verbs of its parent. If it has one of the same name, that comes",
  "first, and pass(@args) calls the parent's.",
  "",
  "See also: @verb @program @list @args @rmverb @chmod @rename @show"
}
property properties r = {
  "A property is a value with a name, on an object and on all its children: they have",
  "the parent's value until they are given one of their own.",
  "",
  "  @property ball.colour \"red\"      make it",
  "  @set ball.colour to \"blue\"       change it; in programs, this.colour = \"blue\";",
  "  @show ball.colour                see it",
  "  @rmproperty ball.colour          remove it",
  "",
  "Its permissions are letters: r others may read it, w others may change it, c on each",
  "child it belongs to the child's owner. Usual are rc, or r for what only the verbs of",
  "the parent should change.",
  "",
  "Every object has: name owner location contents programmer wizard r w f."
}
property permissions r = {
  "A verb has the rights of its owner, whoever calls it. So it may change what its owner",
  "owns, and should take care on whose behalf:",
  "",
  "  if (caller != this)                     only my own verbs call this one",
  "  if (!$perm_utils:controls(caller_perms(), this))      only the owner, or a wizard",
  "  set_task_perms(caller_perms());         no more rights than the caller has",
  "  set_task_perms(player);                 in a wizard's command: as the player",
  "",
  "`raise(E_PERM);' refuses. Objects have r (others may list their verbs and",
  "properties), w and f (others may make children)."
}
property utilities r = {
  "Objects with useful verbs; `help' with the name of one lists them:",
  "",
  "  $string_utils    names, parts of texts, tables, reading values",
  "  $list_utils      sorting, searching, mapping",
  "  $object_utils    ancestors, contents, what an object has",
  "  $match_utils     what a word means",
  "  $command_utils   asking the player, long work, messages for failed matches",
  "  $code_utils      verbs and properties, and how they are written",
  "  $building_utils  making objects and exits",
  "  $perm_utils      who may do what",
  "  $time_utils      times in words",
  "",
  "`help $string_utils:nn' shows what a verb says of itself. Others worth knowing:",
  "$system $root $room $exit $thing $container $note $player $builder $prog $wiz",
  "$guest $login $help $limbo $server_options"
}
property errors r = {
  "When something goes wrong and nobody catches it, the player sees a traceback: the",
  "verb and line where it was, then who called it.",
  "",
  "  #62:beat, line 2:  Property not found",
  "  ... called from ...",
  "",
  "E_TYPE  a wrong kind of value       E_PERM    you may not do that",
  "E_PROPNF, E_VERBNF  no such property, verb     E_VARNF  a variable without value",
  "E_INVIND  no such object            E_RANGE   there is no x[n]",
  "E_ARGS  too few or many arguments   E_INVARG  an argument that makes no sense",
  "E_DIV  division by zero             E_NACC    a place does not let it in",
  "E_RECMOVE  a thing into itself      E_MAXREC  calls too deep",
  "E_QUOTA  you have used up a limit   E_FLOAT   a number too large",
  "",
  "Programs catch them with try ... except, and raise them with raise(E_PERM)."
}
property eval r = {
  "Syntax: ;<expression>",
  "        ;;<statements>",
  "",
  "Run MOO code and show its value, for programmers. `me' and `here' are the player and",
  "the place; other objects have numbers, or names such as $room.",
  "",
  "  ;2 + 2                            => 4",
  "  ;here.contents                    => {#2, #41}",
  "  ;#41.name[1..3]                   => \"lan\"",
  "  ;$string_utils:nn(me)             => \"Wizard (#2)\"",
  "  ;;for x in [1..3] player:tell(x); endfor          => 0, after three lines",
  "  ;;x = 5; while (x) x = x - 1; endwhile return x;  => 0",
  "",
  "An error shows a traceback, whose first line begins with `#-1:Input to EVAL'. Code that",
  "has `me' or `here' in it begins with line 2.",
  "`@ticks on' shows what the code has cost: see `help ticks'."
}
property ";" r = {"*forward*", "eval"}
property tasks r = {
  "Every command is a task. It runs until it ends, and nothing else runs meanwhile; so",
  "it gets 30,000 ticks and 5 seconds, and is stopped when they are used up.",
  "",
  "  fork (10) ... endfork    what is inside runs as a task of its own in 10 seconds",
  "  suspend(10);             this task sleeps; then it has 15,000 ticks and 3 seconds",
  "  suspend(0);              let others go first",
  "  $command_utils:suspend_if_needed(0);     in long loops, for as long as it takes",
  "  read()                   see $command_utils:read, :read_lines and :yes_or_no",
  "",
  "While a task sleeps, everything may change: objects move, or are recycled, and",
  "players leave. Tasks that sleep are kept when the server stops, and go on later.",
  "",
  "`@tasks' lists yours, `@kill <number>' ends one. `@list $toy:run' is an example."
}
property ticks r = {
  "A tick is what the server counts work in: about one for each operator, call,",
  "assignment and round of a loop; variables and constants are free. A command gets",
  "30,000, what is forked or has slept 15,000. ticks_left() tells what is left.",
  "",
  "Syntax: @ticks on",
  "        @ticks off",
  "",
  "Whether `;' shows how many the evaluation has used."
}
property "@ticks" r = {"*forward*", "ticks"}
property functions r = {
  "Built-in functions; `help <name>()' tells the types of the arguments.",
  "",
  "  values      typeof tostr toliteral toint tofloat toobj equal value_hash value_bytes",
  "  numbers     min max abs random sqrt sin cos tan asin acos atan exp log log10 ceil",
  "              floor trunc floatstr",
  "  strings     length strsub index rindex strcmp match rmatch substitute crypt",
  "              string_hash encode_binary decode_binary",
  "  lists       length listappend listinsert listset listdelete setadd setremove",
  "              is_member",
  "  objects     create valid parent children chparent move recycle max_object",
  "  players     players is_player connected_players connected_seconds idle_seconds",
  "              notify boot_player connection_name",
  "  properties  properties property_info set_property_info add_property",
  "              delete_property clear_property is_clear_property",
  "  verbs       verbs verb_info set_verb_info verb_args set_verb_args add_verb",
  "              delete_verb verb_code set_verb_code disassemble",
  "  tasks       suspend resume read queued_tasks kill_task task_id task_stack callers",
  "              ticks_left seconds_left caller_perms set_task_perms raise pass eval",
  "  others      time ctime function_info server_version"
}
property "@program" r = {
  "Syntax: @program <object>:<verb>",
  "        .program <object>:<verb>",
  "",
  "Write the program of a verb: type it line by line, and end with a line that is just a",
  "dot. Then the errors are shown, if there are any. `@abort' gives up. The second form",
  "is built into the server, and does the same for programs that send whole verbs."
}
property ".program" r = {"*forward*", "@program"}
property "@list" r = {
  "Syntax: @list <object>:<verb>",
  "        @list <object>:<verb> <from>..<to>",
  "        @list <object>:<verb> without numbers",
  "",
  "Show the program of a verb with the numbers of its lines, as tracebacks have them.",
  "The verb may also be one that the object has from an ancestor."
}
property "@verb" r = {
  "Syntax: @verb <object>:<name> [<dobj> [<prep> [<iobj> [<perms>]]]]",
  "        @verb <object>:\"<name> <name> ...\" ...",
  "",
  "Add a verb to an object, without a program as yet. The words are as in `help verbs'.",
  "  @verb ball:\"b*ounce\" this none none",
  "  @verb ball:bounce_height this none this"
}
property "@rmverb" r = {
  "Syntax: @rmverb <object>:<verb>",
  "",
  "Remove a verb from an object."
}
property "@args" r = {
  "Syntax: @args <object>:<verb>",
  "        @args <object>:<verb> <dobj> [<prep> [<iobj>]]",
  "",
  "Show, or change, which commands a verb fits: see `help verbs' and `help prepositions'."
}
property "@chmod" r = {
  "Syntax: @chmod <object>:<verb> <perms>",
  "        @chmod <object>.<property> <perms>",
  "        @chmod <object> <perms>",
  "",
  "Change permissions: some of rwxd for a verb, of rwc for a property, of rwf for an",
  "object, \"\" for none. See `help permissions'."
}
property "@property" r = {
  "Syntax: @property <object>.<name> [<value> [<perms>]]",
  "",
  "Add a property to an object; without a value it is 0, and without permissions rc.",
  "  @property ball.colour \"red\"",
  "  @property ball.owners {#2, #6} r"
}
property "@rmproperty" r = {
  "Syntax: @rmproperty <object>.<name>",
  "",
  "Remove a property from an object, and from all that is made from it."
}
property "@show" r = {
  "Syntax: @show <object>",
  "        @show <object>.<property>",
  "        @show <object>:<verb>",
  "",
  "Show everything about an object, with the verbs and properties that it defines and",
  "the values that it has of its own; or about one of them."
}
property "@display" r = {"*forward*", "@show"}
property "@tasks" r = {
  "Syntax: @tasks",
  "",
  "List your tasks that wait: their numbers, when they go on, and where they are."
}
property "@kill" r = {
  "Syntax: @kill <number>",
  "        @kill all",
  "",
  "End one of your tasks, with its number from @tasks, or all."
}

// --- talking

property say r = {
  "Syntax: say <text>",
  "        \"<text>",
  "",
  "Say something to all who are here."
}
property "\"" r = {"*forward*", "say"}
property emote r = {
  "Syntax: emote <text>",
  "        :<text>",
  "        ::<text>",
  "",
  "Show what you do: `:waves' shows `Anna waves'. The last form has no blank behind your",
  "name: `::'s hat falls off' shows `Anna's hat falls off'."
}
property ":" r = {"*forward*", "emote"}
property whisper r = {
  "Syntax: whisper \"<text>\" to <player>",
  "",
  "Say something to one who is here, and nobody else hears it."
}
property page r = {
  "Syntax: page <player> <text>",
  "",
  "Say something to one who is connected, wherever they are."
}
property who r = {
  "Syntax: who",
  "        who <player> ...",
  "",
  "Who is connected, since when, for how long they have typed nothing, and where they",
  "are. With names: also when somebody who is not connected was last here."
}
property "@who" r = {"*forward*", "who"}

// --- moving and looking

property look r = {
  "Syntax: look",
  "        look <object>",
  "        look in <container>",
  "",
  "See the place where you are, or an object, or what is in it. `look north' looks",
  "through an exit. `l' will do."
}
property l r = {"*forward*", "look"}
property examine r = {
  "Syntax: examine <object>",
  "",
  "All that can be seen of an object: number, owner, parent, description, commands."
}
property go r = {
  "Syntax: go <direction>",
  "        <direction>",
  "",
  "Go through an exit; `look' tells which there are."
}
property home r = {
  "Syntax: home",
  "",
  "Go home. You wake up there when you connect; `@sethome' chooses the place."
}
property "@sethome" r = {
  "Syntax: @sethome",
  "",
  "Make the place where you are your home."
}

// --- things

property inventory r = {
  "Syntax: inventory",
  "",
  "What you carry. `i' will do."
}
property i r = {"*forward*", "inventory"}
property get r = {
  "Syntax: get <thing>",
  "        get <thing> from <container>",
  "",
  "Pick something up, or out of something. `take' is the same."
}
property take r = {"*forward*", "get"}
property remove r = {"*forward*", "get"}
property drop r = {
  "Syntax: drop <thing>",
  "",
  "Put something down. `throw' is the same."
}
property throw r = {"*forward*", "drop"}
property give r = {
  "Syntax: give <thing> to <player>",
  "",
  "Give something to one who is here. `hand' is the same."
}
property hand r = {"*forward*", "give"}
property put r = {
  "Syntax: put <thing> in <container>",
  "",
  "Put something that you carry into an open container. `insert' is the same."
}
property insert r = {"*forward*", "put"}
property open r = {
  "Syntax: open <container>",
  "        close <container>",
  "",
  "Open it, to see what is in it, or close it."
}
property close r = {"*forward*", "open"}
property shut r = {"*forward*", "open"}
property read r = {
  "Syntax: read <note>",
  "",
  "Read what is written on something."
}
property write r = {
  "Syntax: write \"<line>\" on <note>",
  "        erase <note>",
  "",
  "Add a line to a note of yours, or make it empty."
}
property erase r = {"*forward*", "write"}
property wind r = {
  "Syntax: wind <toy>",
  "",
  "Wind up a toy, such as the mouse in the workshop, and see what it does. Programmers",
  "read `@list $toy:wind'."
}
property light r = {
  "Syntax: light <lantern>",
  "        douse <lantern>",
  "",
  "Light it, or put it out."
}
property douse r = {"*forward*", "light"}
property extinguish r = {"*forward*", "light"}

// --- yourself

property help r = {
  "Syntax: help",
  "        help <topic>    help <command>    help <object>    help <object>:<verb>",
  "        help index      help <function>()",
  "",
  "Show what there is to know; the beginning of a topic is enough."
}
property "?" r = {"*forward*", "help"}
property information r = {"*forward*", "help"}
property commands r = {
  "Syntax: commands",
  "",
  "List the commands that you and the place where you are know. For those of an object",
  "`examine' it."
}
property "@commands" r = {"*forward*", "commands"}
property "@quit" r = {
  "Syntax: @quit",
  "",
  "Leave. What you carry stays with you if it is yours, and else where you were."
}
property quit r = {"*forward*", "@quit"}
property "@password" r = {
  "Syntax: @password <old> <new>",
  "        @password <new>",
  "",
  "Change your password; the second form is for those who have none. Only its first",
  "eight letters count."
}

// --- wizards

property wizards r = {
  "Wizards may do everything, so they should do it rarely. The first one is Wizard:",
  "`connect wizard' needs no password on the machine of the server. Set one before others",
  "can reach this world: `@password <new>'.",
  "",
  "  @programmer <player>              let somebody program",
  "  @newpassword <player> <password>  for those who have forgotten theirs",
  "  @setquota <player> to <number>    how many objects more somebody may make",
  "  @chown <object> to <player>       give an object to somebody",
  "  @boot <player>                    close a connection",
  "  @toad <player>                    make a player a mere object",
  "  @shout <text>                     to everybody",
  "  @dump-database                    write the database now",
  "  @shutdown [<reason>]              end the server",
  "",
  "  ;$login.create_enabled = 0        no new players but by $login:create_player",
  "  ;$login.welcome_message = {...}   what those see who connect",
  "  ;$player_start = #62              where newcomers begin",
  "  ;$server_options.fg_ticks = 60000 limits of the server"
}
property "@programmer" r = {
  "Syntax: @programmer <player>",
  "",
  "For wizards: let somebody evaluate code and program verbs."
}
property "@shout" r = {
  "Syntax: @shout <text>",
  "",
  "For wizards: say something to everybody who is connected."
}
property "@boot" r = {
  "Syntax: @boot <player>",
  "",
  "For wizards: close somebody's connection."
}
property "@dump-database" r = {
  "Syntax: @dump-database",
  "",
  "For wizards: have the server write the database now; it does so by itself from time",
  "to time, and when it ends."
}
property "@shutdown" r = {
  "Syntax: @shutdown [<reason>]",
  "",
  "For wizards: end the server, after asking you. Everybody is told the reason."
}
property "@newpassword" r = {
  "Syntax: @newpassword <player> <password>",
  "",
  "For wizards: give somebody a new password."
}
property "@setquota" r = {
  "Syntax: @setquota <player> to <number>",
  "",
  "For wizards: say how many objects more somebody may make."
}
property "@chown" r = {
  "Syntax: @chown <object> to <player>",
  "",
  "For wizards: give an object to somebody, with those of its properties that belong to",
  "the owner of the object."
}
property "@toad" r = {
  "Syntax: @toad <player>",
  "",
  "For wizards: make a player an object like any other, after asking you."
}

// --- verbs

verb "text" this none this rxd
"text(topic, player) => the lines that help on the topic.";
{topic, who} = args;
topic = $string_utils:trim(topic);
if (topic == "index")
  return this:index_lines();
endif
name = topic ? this:find_topic(topic) | "summary";
if (typeof(name) == STR)
  return this:topic_lines(name);
elseif (lines = this:object_help(topic, who) || this:function_help(topic))
  return lines;
elseif (typeof(name) == LIST)
  return {tostr("\"", topic, "\" may be one of these: ", $string_utils:english_list(name, "", " or "), ".")};
endif
return {tostr("There is no help on \"", topic, "\". Type `help' for the subjects.")};
.

verb "find_topic" this none this rxd
"find_topic(text) => the name of the topic, a list of those that begin with the text,";
"or $failed_match.";
{text} = args;
found = {};
for name in (properties(this))
  if (name == text)
    return name;
  elseif (index(name, text) == 1 || index(name, "@" + text) == 1)
    found = setadd(found, this:resolve(name));
  endif
endfor
return length(found) == 1 ? found[1] | found || $failed_match;
.

verb "resolve" this none this rxd
"resolve(topic) => the topic that it forwards to, or itself.";
{name} = args;
lines = this.(name);
return lines[1] == "*forward*" ? lines[2] | name;
.

verb "topic_lines" this none this rxd
"topic_lines(topic) => its lines.";
return this.(this:resolve(args[1]));
.

verb "object_help" this none this rxd
"object_help(text, player) => what an object, or one of its verbs, says of itself; or {}.";
{text, who} = args;
{name, ?verbname = ""} = $code_utils:parse_verbref(text) || {text};
what = who:my_match_object(name);
if (!valid(what))
  return {};
elseif (verbname)
  found = $object_utils:has_verb(what, verbname);
  return found ? `$code_utils:verb_documentation(found[1], verbname) ! E_PERM => {}' | {};
endif
lines = `what.help_msg ! E_PERM => {}';
lines = typeof(lines) == LIST ? lines | {lines};
return lines == {""} ? {} | lines;
.

verb "function_help" this none this rxd
"function_help(text) => how the built-in function of that name is called; or {}.";
{text} = args;
usage = $code_utils:function_usage(strsub(text, "()", ""));
return usage ? {tostr("Built-in function: ", usage)} | {};
.

verb "index_lines" this none this rxd
"index_lines() => the names of all topics, in columns.";
names = {};
for name in ($list_utils:sort(properties(this)))
  if (this:resolve(name) == name)
    names = {@names, $string_utils:left(name, 18)};
  endif
endfor
lines = {"Help is available on:"};
while (names)
  count = min(4, length(names));
  lines = {@lines, $string_utils:trimr("  " + $string_utils:from_list(names[1..count]))};
  names = names[count + 1..$];
endwhile
return lines;
.

verb "command_lines" this none this rxd
"command_lines(player) => the commands that the player, and the place, know.";
{who} = args;
lines = {};
for what in ({who, @$object_utils:ancestors(who), who.location, @$object_utils:ancestors(who.location)})
  names = {};
  for entry in ($code_utils:commands_of(what))
    names = {@names, $code_utils:first_name(entry[1])};
  endfor
  if (names)
    lines = {@lines, tostr($string_utils:nn(what), ":"), @this:wrap($list_utils:sort(names))};
  endif
endfor
return lines;
.

verb "wrap" this none this rxd
"wrap(words) => the words in lines of no more than 76 letters.";
lines = {};
line = " ";
for word in (args[1])
  if (length(line) + length(word) > 75)
    lines = {@lines, line};
    line = " ";
  endif
  line = tostr(line, " ", word);
endfor
return {@lines, line};
.
