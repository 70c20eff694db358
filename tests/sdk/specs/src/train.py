print("nobody runs this: it is packed, and the request that would run it is compared")
