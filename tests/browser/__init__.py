"""The console and the demo in a real Chromium. A package, so that the fixtures of its tests end with them."""
