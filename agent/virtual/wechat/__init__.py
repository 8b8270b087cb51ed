"""A small WeChat: pages as accessibility shows them, on top of the virtual world."""
