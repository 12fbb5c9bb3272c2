PORT = 8088
RELOAD = True
DEBUG = True
DEFAULT_API_KEYS = "key-that-must-not-be-shown,another-key-of-that-kind"
API_ROUTE_PREFIX = "/v1"

EMBED_TRUNCATE = "END"

# "API_KEY" or "INSTANCE_PRINCIPAL"
AUTH_TYPE = "API_KEY"
OCI_CONFIG_FILE = "~/.oci/config"
OCI_CONFIG_FILE_KEY = "FORGE"
INFERENCE_ENDPOINT_TEMPLATE = "https://inference.generativeai.{region}.oci.oraclecloud.com/20231130"

TITLE = "Our gateway"
DESCRIPTION = """
PORT = 1 is not a setting here.
"""
