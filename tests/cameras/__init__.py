"""Tests of finding, describing and registering devices."""
