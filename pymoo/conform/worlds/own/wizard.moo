object $wizard
  name "Wizard"
  parent $root
  owner $wizard
  location $lab
  flags player programmer wizard
