"""Talking ONVIF to one device at a time: bounded, without redirects, never trusting an address that a device names.

The only package that imports zeep; onvif-zeep supplies the WSDL files and nothing else. It is never imported: importing
it configures logging and drops proxy settings, and each ONVIFCamera creates (and leaks) an event subscription.
"""
