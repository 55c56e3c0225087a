object $thing
  name "thing"
  parent $root
  owner $wizard
  flags r f

property colour r = "red"
property secret "" = 42
property open rw = {1, 2}
property own rc = 0

verb echo this none this rxd
return args;
.

verb divide this none this rxd
{a, b} = args;
return a / b;
.

verb quiet this none this rx
x = args[1] / args[2];
return {x, "still here"};
.

verb perms this none this xd
return {caller_perms(), caller, player, this, verb, args};
.
