object $wizard
  name "Wizard"
  owner $wizard
  parent $wiz
  location $limbo
  flags player programmer wizard r

set aliases = {"Wizard"}
set description = "A person of few words and all permissions."
set password = ""       // none is needed on the machine of the server; see @password
