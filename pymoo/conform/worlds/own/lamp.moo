object $lamp
  name "brass lamp"
  parent $thing
  owner $wizard
  location $lab
  flags r

property aliases r = {"lamp", "light"}

verb "rub polish" this none none rxd
notify(player, tostr(verb, " ", this, " ", dobj, " ", prepstr, " ", iobj));
.
