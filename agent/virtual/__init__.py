"""The virtual phone: real adb and uiautomator2 connect to it; behind it a small WeChat and a world."""
