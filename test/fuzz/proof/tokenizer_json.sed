# src/text/load_json.c
s/json_integer_value(value) < 0 || //
