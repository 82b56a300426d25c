"""How well the reconstruction did on figures whose patients are known."""
