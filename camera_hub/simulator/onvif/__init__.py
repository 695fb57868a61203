"""The ONVIF side of a device: dispatched by operation, one module per service, plain templates.

An operation is a function of a `Call` that returns the content of its response element; `soap.Refusal` is a SOAP fault.
"""
