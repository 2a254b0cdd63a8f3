"""Three network designs on PASCAL VOC 2007, and what a forum argues about (papers 004 and 002)."""
