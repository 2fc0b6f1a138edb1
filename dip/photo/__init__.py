LEAST_SIDE = 32  # pixels of a photograph
