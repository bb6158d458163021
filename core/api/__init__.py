"""What the API's edges share: the JSend envelope, strict JSON, authentication, scopes, limits, pages, the schema."""
