"""ONVIF as a device speaks it: one dispatcher by operation, one module per service, plain templates.

An operation is a function of a `Call` that returns the inside of its response element; `soap.Refusal` is a SOAP fault.
"""
