def read(chunks):
    """Return what the model answered."""
    text = ""
    for chunk in chunks:
        text += chunk["choices"][0]["delta"].get("content") or ""
    return text
