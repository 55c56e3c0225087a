object $note
  name "generic note"
  owner $hacker
  parent $thing
  flags r f

property text r = {}

set help_msg = {
  "A note is a thing with text on it:",
  "  read <note>    write \"<line>\" on <note>    erase <note>",
  "Its owner alone can write on it and erase it."
}

verb "r*ead" this none none rd
"read <note>";
player:tell(this:titlec(), " reads:");
player:tell_lines(this.text ? this.text | "(nothing)");
.

verb "wr*ite" any on this rd
"write \"<line>\" on <note>    Add a line to the text.";
if (!$perm_utils:controls(player, this))
  player:tell("Only its owner can write on ", this:title(), ".");
else
  this.text = {@this.text, dobjstr};
  player:tell("Line ", length(this.text), " added.");
endif
.

verb "er*ase" this none none rd
"erase <note>    Remove the whole text.";
if (!$perm_utils:controls(player, this))
  player:tell("Only its owner can erase ", this:title(), ".");
else
  this.text = {};
  player:tell("Erased.");
endif
.
