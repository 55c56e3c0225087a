object $string_utils
  name "String Utilities"
  owner $hacker
  parent $root
  flags r

// What :text_or_value takes for a value, besides strings in quotes and lists.
property value_pattern r = "^%([-+]?[0-9.]+%|#-?[0-9]+%|%$[a-z_]+%|E_[A-Z]+%)$"
property lower r = "abcdefghijklmnopqrstuvwxyz"
property upper r = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
property errors r = {E_NONE, E_TYPE, E_DIV, E_PERM, E_PROPNF, E_VERBNF, E_VARNF, E_INVIND,
  E_RECMOVE, E_MAXREC, E_RANGE, E_ARGS, E_NACC, E_INVARG, E_QUOTA, E_FLOAT}

set aliases = {"string_utils"}
set description = "Verbs that work on strings."
set help_msg = {
  "Names and numbers:",
  "  :nn(object)                     \"name (#n)\"",
  "  :title_list(objects)            \"a lamp, a box and a coin\"",
  "  :english_list(strings [, none [, and]])   \"one, two and three\"",
  "  :count(number, name)            \"1 task\", \"2 tasks\"",
  "  :from_list(list [, separator])  all parts in one string",
  "Parts:",
  "  :explode(text [, separator])    the parts between separators, without empty ones",
  "  :words(text)                    its words, quoted as in commands",
  "  :first_word(text)               {the first word, the text behind it}",
  "  :trim :triml :trimr (text [, letter])     without blanks around, before, behind",
  "  :unquote(text)                  without the quotes around it",
  "Form:",
  "  :left :right :center (value, width [, fill])",
  "  :space(count [, fill])   :capitalize :uppercase :lowercase (text)",
  "  :is_numeric(text)",
  "Meaning:",
  "  :match_object(text [, player])  the object that a player means",
  "  :match_player(text [, exact])   the player of a name",
  "  :pronoun_sub(text [, player])   with %n and the like filled in",
  "  :to_value(text)                 {1, value} or {0, message}",
  "  :prefix_to_value(text)          {rest, value} or {0, message}"
}

// --- names and numbers

verb "nn" this none this rxd
"nn(object) => its name and number.";
{what} = args;
if (valid(what))
  return tostr(what.name, " (", what, ")");
elseif (what in {$nothing, $ambiguous_match, $failed_match})
  return tostr({"nothing", "ambiguous match", "failed match"}[-toint(what)], " (", what, ")");
endif
return tostr("recycled (", what, ")");
.

verb "title_list" this none this rxd
"title_list(objects) => their titles as in a sentence.";
titles = {};
for what in (args[1])
  titles = {@titles, `what:title() ! ANY => what.name'};
endfor
return this:english_list(titles);
.

verb "english_list" this none this rxd
"english_list(strings [, none [, and]]) => \"one, two and three\".";
{strings, ?none = "nothing", ?and = " and "} = args;
if (!strings)
  return none;
elseif (length(strings) == 1)
  return tostr(strings[1]);
endif
return tostr(this:from_list(strings[1..$ - 1], ", "), and, strings[$]);
.

verb "count" this none this rxd
"count(number, name) => \"1 task\", \"2 tasks\".";
{number, name} = args;
return tostr(number, " ", name, number == 1 ? "" | "s");
.

verb "from_list" this none this rxd
"from_list(list [, separator]) => the parts of the list as one string.";
{parts, ?separator = ""} = args;
text = "";
for part in (parts)
  text = tostr(text, separator, part);
endfor
return text[length(separator) + 1..$];
.

// --- parts

verb "explode" this none this rxd
"explode(text [, separator]) => the parts between separators, without empty ones.";
{text, ?separator = " "} = args;
parts = {};
while (at = index(text, separator))
  if (at > 1)
    parts = {@parts, text[1..at - 1]};
  endif
  text = text[at + length(separator)..$];
endwhile
return text ? {@parts, text} | parts;
.

verb "words" this none this rxd
"words(text) => its words, as the server splits a command: \"a b\" is one, and so is \\ \".";
{text} = args;
words = {};
while (parts = this:first_word(text))
  {word, text} = parts;
  words = {@words, word};
endwhile
return words;
.

verb "first_word" this none this rxd
"first_word(text) => {the first word, as the server splits a command, the text behind it},";
"or {} if there is none.";
text = this:triml(args[1]);
word = "";
quoted = 0;
at = 1;
while (at <= length(text) && (quoted || text[at] != " "))
  letter = text[at];
  if (letter == "\\")
    at = at + 1;
    word = word + text[at..min(at, $)];
  elseif (letter == "\"")
    quoted = !quoted;
  else
    word = word + letter;
  endif
  at = at + 1;
endwhile
return text ? {word, this:triml(text[at..$])} | {};
.

verb "trim" this none this rxd
"trim(text [, letter]) => the text without blanks, or that letter, around it.";
return this:triml(this:trimr(@args), @args[2..$]);
.

verb "triml" this none this rxd
"triml(text [, letter]) => the text without blanks, or that letter, before it.";
{text, ?letter = " "} = args;
at = 1;
while (at <= length(text) && text[at] == letter)
  at = at + 1;
endwhile
return text[at..$];
.

verb "trimr" this none this rxd
"trimr(text [, letter]) => the text without blanks, or that letter, behind it.";
{text, ?letter = " "} = args;
at = length(text);
while (at && text[at] == letter)
  at = at - 1;
endwhile
return text[1..at];
.

verb "unquote" this none this rxd
"unquote(text) => the text without blanks, and then without quotes, around it.";
text = this:trim(args[1]);
if (length(text) > 1 && text[1] == "\"" && text[$] == "\"")
  return text[2..$ - 1];
endif
return text;
.

// --- form

verb "space" this none this rxd
"space(count [, fill]) => that many blanks, or letters.  Raises E_INVARG if fill is empty.";
{count, ?fill = " "} = args;
if (fill == "")
  raise(E_INVARG, "There is nothing to fill up with");
endif
text = fill;
while (length(text) < count)
  text = text + text;
endwhile
return text[1..max(0, count)];
.

verb "left" this none this rxd
"left(value, width [, fill]) => the value as text, filled up behind.";
{value, width, ?fill = " "} = args;
text = tostr(value);
return text + this:space(width - length(text), fill);
.

verb "right" this none this rxd
"right(value, width [, fill]) => the value as text, filled up before.";
{value, width, ?fill = " "} = args;
text = tostr(value);
return this:space(width - length(text), fill) + text;
.

verb "center centre" this none this rxd
"center(value, width [, fill]) => the value as text, filled up on both sides.";
{value, width, ?fill = " "} = args;
text = tostr(value);
return this:left(this:space((width - length(text)) / 2, fill) + text, width, fill);
.

verb "uppercase" this none this rxd
"uppercase(text) => the text in capital letters.";
{text} = args;
for at in [1..26]
  text = strsub(text, this.lower[at], this.upper[at]);
endfor
return text;
.

verb "lowercase" this none this rxd
"lowercase(text) => the text in small letters.";
{text} = args;
for at in [1..26]
  text = strsub(text, this.upper[at], this.lower[at]);
endfor
return text;
.

verb "capitalize" this none this rxd
"capitalize(text) => the text with its first letter as a capital.";
{text} = args;
if (text && (at = index(this.lower, text[1])))
  text[1] = this.upper[at];
endif
return text;
.

verb "is_numeric" this none this rxd
"is_numeric(text): whether the text is an integer.";
return match(args[1], "^ *[-+]?[0-9]+ *$") != {};
.

// --- meaning

verb "match_object" this none this rxd
"match_object(text [, player]) => the object that the player means by a text.";
"That is `me', `here', #123, $name, or the name or an alias of something at hand.";
{text, ?who = player} = args;
if (!text)
  return $nothing;
elseif (text == "me")
  return who;
elseif (text == "here")
  return who.location;
elseif (text[1] == "#" && this:is_numeric(text[2..$]))
  return valid(what = toobj(text)) ? what | $failed_match;
elseif (text[1] == "$")
  what = `#0.(text[2..$]) ! E_PROPNF => $failed_match';
  return typeof(what) == OBJ && valid(what) ? what | $failed_match;
endif
return $match_utils:match(text, {@who.contents, @valid(who.location) ? who.location.contents | {}});
.

verb "match_player" this none this rxd
"match_player(text [, exact]) => the player of a name, or one whose name begins so.";
{text, ?exact = 0} = args;
if (!text)
  return $nothing;
elseif (text == "me")
  return player;
elseif (text[1] == "#")
  return is_player(what = toobj(text)) ? what | $failed_match;
endif
for who in (players())
  if (text in $match_utils:names_of(who))
    return who;
  endif
endfor
return exact ? $failed_match | $match_utils:match(text, players());
.

verb "pronoun_sub" this none this rxd
"pronoun_sub(text [, player]) => the text with names filled in: %n of the player, %t of";
"the object that asks, %d and %i of the command's objects, %l of the place.  Capital";
"letters give capitals, and %% a percent sign.";
{text, ?who = player} = args;
result = "";
while (at = index(text, "%"))
  letter = text[at + 1..min(at + 1, $)];
  result = result + text[1..at - 1];
  if (place = letter ? index("ntdil", letter) | 0)
    what = {who, caller, dobj, iobj, who.location}[place];
    name = valid(what) ? what:title() | "something";
    result = result + (strcmp(letter, "a") < 0 ? this:capitalize(name) | name);
  else
    result = result + (letter == "%" ? "%" | "%" + letter);
  endif
  text = text[min(at + 2, $ + 1)..$];
endwhile
return result + text;
.

verb "to_value" this none this rxd
"to_value(text) => {1, value} for the text of a value, or {0, what is wrong}.";
{rest, value} = this:prefix_to_value(args[1]);
if (typeof(rest) == INT)
  return {0, value};
elseif (rest = this:trim(rest))
  return {0, tostr("nothing should follow, but there is ", rest)};
endif
return {1, value};
.

verb "text_or_value" this none this rxd
"text_or_value(text) => as :to_value, but what does not look like a value is a string.";
{text} = args;
text = this:trim(text);
if (text && index("\"{", text[1]) || match(text, this.value_pattern))
  return this:to_value(text);
endif
return {1, text};
.

verb "prefix_to_value" this none this rxd
"prefix_to_value(text) => {rest, value} for a text that begins with a value, or";
"{0, what is wrong}.";
text = this:triml(args[1]);
if (!text)
  return {0, "a value is missing"};
elseif (text[1] == "{")
  return this:prefix_to_list(text);
elseif (found = match(text, "^\"%(%([^\\\"]%|\\.%)*%)\""))
  {start, end, @more} = found;
  return {text[end + 1..$], this:unescape(text[2..end - 1])};
elseif (found = match(text, "^#-?[0-9]+"))
  return {text[found[2] + 1..$], toobj(text[1..found[2]])};
elseif (found = match(text, "^%$[a-z_][a-z0-9_]*"))
  what = this:match_object(text[1..found[2]]);
  return valid(what) ? {text[found[2] + 1..$], what} | {0, "there is no object " + text[1..found[2]]};
elseif (found = match(text, "^[-+]?[0-9]*%.?[0-9]+%(e[-+]?[0-9]+%)?"))
  number = text[1..found[2]];
  return {text[found[2] + 1..$], match(number, "[.e]") ? tofloat(number) | toint(number)};
elseif (found = match(text, "^E_[A-Z]+"))
  for code in (this.errors)
    if (toliteral(code) == text[1..found[2]])
      return {text[found[2] + 1..$], code};
    endif
  endfor
endif
return {0, "this is none: " + text};
.

verb "prefix_to_list" this none this rxd
"prefix_to_list(text) => as :prefix_to_value, for a text that begins with a list.";
rest = this:triml(args[1][2..$]);
elements = {};
if (rest && rest[1] == "}")
  return {rest[2..$], elements};
endif
while (1)
  {rest, value} = this:prefix_to_value(rest);
  if (typeof(rest) == INT)
    return {0, value};
  endif
  elements = {@elements, value};
  rest = this:triml(rest);
  if (!rest)
    return {0, "a } is missing"};
  elseif (rest[1] == "}")
    return {rest[2..$], elements};
  elseif (rest[1] != ",")
    return {0, "a , or } is missing before " + rest};
  endif
  rest = rest[2..$];
endwhile
.

verb "unescape" this none this rxd
"unescape(text) => what stands between quotes, without its backslashes.";
{text} = args;
result = "";
while (at = index(text, "\\"))
  result = result + text[1..at - 1] + text[at + 1];
  text = text[at + 2..$];
endwhile
return result + text;
.
