def add_to(commands, add_hosts): pass
