"""The register: villages, devices, cameras, favourites; how a described device becomes rows; proof by picture."""
