# What a try adds to the home.
{ }
