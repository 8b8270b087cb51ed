"""One phone, one process: drives the WeChat client and streams what it saw to the controller."""
