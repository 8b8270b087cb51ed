"""What is known of the WeChat client: its tables by version, its pages, and the flows on them."""
