"""The virtual phone: real adb, adbutils and uiautomator2 connect to it; behind it a small WeChat and a shared world."""
