"""One module per page, each with one function ``show``; not named ``pages``, which Streamlit would serve by itself."""
