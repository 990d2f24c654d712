"""The archive as a static folder for any web host: no server of ours, no script, no request to anybody."""
