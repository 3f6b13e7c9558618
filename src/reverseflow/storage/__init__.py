"""The only room that speaks SQL: tables, rows, the store and the migrations."""
