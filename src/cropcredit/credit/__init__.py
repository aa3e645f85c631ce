"""What can be repaid: cash flow, sizing, pricing, decisions' rules."""
