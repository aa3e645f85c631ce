"""The desk: a thin Streamlit app; every number comes from a use case, every write goes through one."""
