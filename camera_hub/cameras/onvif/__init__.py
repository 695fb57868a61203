"""Talking ONVIF to one device at a time: bounded, without redirects, never believing an address that a device names.

Only home of zeep; onvif-zeep supplies the WSDL files and nothing else. It is never imported: importing it sets up
logging and drops proxy settings, and its ONVIFCamera makes (and leaks) an event subscription each time it is made.
"""
