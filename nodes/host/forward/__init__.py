"""One forward pass of the network, changed by name: methods of the model, layers of its blocks, caches of a step."""
