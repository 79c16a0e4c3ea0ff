"""An independent second implementation of rating and statements, in exact integers.

Written from the design pages alone; shares no code with the workers it judges. See README.md.
"""
