"""What is dear to make, made when it is first asked for."""


class Lazily(dict):
    """Values by their names, each made once, by a function of its name."""

    def __init__(self, make):
        super().__init__()
        self.make = make

    def __missing__(self, name):
        self[name] = self.make(name)
        return self[name]
